from browser import browser as browser  # the fixture, for every test module
