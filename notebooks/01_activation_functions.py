# %% [markdown]
# # Activation functions · 激活函数
#
# A short document with the title *激活函数* prints eight activation functions, and for most of them the rule for the
# derivative. It is all formulas. This notebook goes through it section by section and lets every formula run: with
# small numbers, with plots, and with pictures of what happens when a gradient passes through.
#
# You need school calculus: what a derivative is, and the chain rule (链式法则). You need no internet connection, and no
# cell takes longer than a few seconds.
#
# Each section has the same parts: the **formula** and the **rule** as the document prints them, a **plot**, the
# function **at work** on three numbers, a **network** so small that all of it fits into a picture, and something to
# **try**.
# Where the document has a slip of the pen, a quoted block says what is printed, what is meant, and why.
#
# The headings carry the Chinese term too. The document itself names most of its functions in English only; there, the
# Chinese is the usual term.

# %% [markdown]
# ## Before we start
#
# `ta` is the library, `drawing` its plots, and `nn` its layers. `show` only puts a picture of a graph into the notebook
# in a format that every viewer can display.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np

import tinygrad_act as ta
from tinygrad_act import drawing, nn
from tinygrad_act.drawing import style

np.set_printoptions(precision=4, suppress=True)


def show(picture):
    """A drawing as PNG; where that cannot be made, the drawing, which shows itself as SVG."""
    try:
        from IPython.display import Image

        with tempfile.TemporaryDirectory() as folder:
            return Image(picture.save(Path(folder) / "graph.png").read_bytes(), retina=True)
    except (ImportError, drawing.RenderError):
        return picture


# %% [markdown]
# ## Sigmoid · S 型函数
#
# The sigmoid squeezes every number into the interval from 0 to 1. It can be read as a probability.
#
# $$\mathrm{sigmoid}(z) = \cfrac{1}{1 + e^{-z}}$$
#
# The document gives its rule in two forms:
#
# $$\cfrac{\mathrm{d}\ \mathrm{sigmoid}(z)}{\mathrm{d} z} = \cfrac{e^{-z}}{(1 + e^{-z})^2}
#   = \mathrm{sigmoid}(z)\,(1 - \mathrm{sigmoid}(z))$$
#
# The first comes from the quotient rule. For the second, split the fraction into a product:
# $\frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}}$. The first factor is the sigmoid, and the second is what it
# lacks to 1. So whoever has computed the value has the slope nearly for free.

# %%
drawing.plot_activation("sigmoid")

# %% [markdown]
# The slope $f'$ is greatest at 0, where it is ¼, and it dies away on both sides. This is called *saturation*.
# (The third curve is the slope of the slope. We do not need it here.)
#
# **At work.** A `Tensor` is an array that remembers how it was computed.

# %%
z = ta.Tensor([-2.0, 0.0, 2.0], name="z")
y = ta.sigmoid(z)
y

# %% [markdown]
# `backward()` walks back from one number and leaves in `z.grad` how much that number changes with each element of
# `z`. We take the sum: it changes with each $z_i$ exactly as $\mathrm{sigmoid}(z_i)$ does. So `z.grad` holds the
# three slopes.

# %%
y.sum().backward()
z.grad

# %% [markdown]
# Now by hand, in both forms of the rule:

# %%
e = np.exp(-z.data)
s = 1 / (1 + e)
print("first form ", e / (1 + e) ** 2)
print("second form", s * (1 - s))

# %% [markdown]
# We will do this for every function, so let us keep it: the rows are the numbers, the values and the slopes.


# %%
def table(f, *numbers):
    """Numbers, the values of f there, and its slopes there, found by walking back."""
    x = ta.Tensor(np.array(numbers))
    y = f(x)
    y.sum().backward()
    return np.array([x.data, y.data, x.grad])


table(ta.sigmoid, -2.0, 0.0, 2.0)

# %% [markdown]
# **A network.** One neuron: two inputs, two weights, a bias, and the sigmoid. After `backward()` each box in the
# picture has its value and, behind the ∂, its gradient.

# %%
x = np.array([1.0, 2.0])
w = ta.Tensor([0.5, -1.0], name="w")
b = ta.Tensor(0.5, name="b")
y = ta.sigmoid(w @ x + b)
y.backward()
show(ta.draw(y, names={"x": x, "y": y}))

# %% [markdown]
# Read it from right to left, against the arrows. The gradient starts as 1 at `y`. The sigmoid multiplies it by its
# slope at $z = -1$, which is 0.1966. A sum hands it on unchanged, so `b` gets 0.1966. The product with `x` multiplies
# it by `x`, so `w` gets 0.1966 · [1, 2].
#
# The same walk can be stepped through, one number at a time. Use the buttons at the bottom, or the arrow keys: first
# comes the way forward, which computes the values, then the way back.

# %%
ta.step_through(y, names={"x": x, "y": y})

# %% [markdown]
# GitHub does not show this frame, because a program runs in it. Open the notebook on your own machine, or write the
# page to a file with `ta.step_through(y).save("page.html")` and open it in a browser. It looks
# like this, here for a larger network:
#
# ![The page: on the left the graph, on the right a rule with its numbers](../examples/digits-page.png)
#
# **Try it.**
# 1. Set the bias to 1.5, so that the sigmoid is at $z = 0$. What is the gradient of `b` now? Can any bias make it
#    greater?
# 2. Set the bias to 11.5. By about how much does the gradient of `w` shrink? Would this neuron learn quickly?

# %% [markdown]
# ## tanh · 双曲正切函数
#
# The hyperbolic tangent squeezes every number into the interval from −1 to 1, and keeps its sign.
#
# $$\tanh(x) = \cfrac{\sinh(x)}{\cosh(x)} = \cfrac{\cfrac{e^x - e^{-x}}{2}}{\cfrac{e^x + e^{-x}}{2}}
#   = \cfrac{1 - e^{-2x}}{1 + e^{-2x}}$$
#
# $$\cfrac{\mathrm{d} \tanh(x)}{\mathrm{d} x} = \mathrm{sech}^2(x) = 1 - \tanh^2(x)$$
#
# > **A slip in the document.** *Printed* is, in the middle, $\frac{e^x - e^x}{2}$ over $\frac{e^x + e^x}{2}$. *Meant*
# > is $e^{-x}$ for the second $e^x$ of each, as above. *Why:* as printed the fraction would be 0 for every $x$. With
# > the minus signs it is sinh over cosh by their definitions; and multiplied by $e^{-x}$ above and below it becomes
# > the fraction on the right, which is printed correctly.

# %%
drawing.plot_activation("tanh")

# %% [markdown]
# **At work.** At 0 the slope is 1, four times that of the sigmoid. The curve is the same, stretched:
# $\tanh(x) = 2\,\mathrm{sigmoid}(2x) - 1$.

# %%
print(table(ta.tanh, -1.0, 0.0, 2.0))
print("by the sigmoid:", 2 * ta.sigmoid(2 * np.array([-1.0, 0.0, 2.0])) - 1)

# %% [markdown]
# Both forms of the rule by hand, where sech is 1 / cosh:

# %%
x = np.array([-1.0, 0.0, 2.0])
print("sech²    ", 1 / np.cosh(x) ** 2)
print("1 - tanh²", 1 - np.tanh(x) ** 2)

# %% [markdown]
# **A network.** Two steps of a recurrent network, which uses the same weight `w` twice. That is why two arrows leave
# `w`.

# %%
x = np.array(1.0)
w = ta.Tensor(2.0, name="w")
h = ta.tanh(w * x)
y = ta.tanh(w * h)
y.backward()
show(ta.draw(y, names={"x": x, "h": h, "y": y}))

# %% [markdown]
# The gradient comes back to `w` on two ways, and **what comes on several ways is added up**. Let us follow both:

# %%
h1, slope1 = np.tanh(2.0), 1 - np.tanh(2.0) ** 2
slope2 = 1 - np.tanh(2.0 * h1) ** 2
short = slope2 * h1  # y depends on w directly, at the second step …
long = slope2 * 2.0 * slope1 * 1.0  # … and through h, at the first
print(f"{short:.4f} + {long:.4f} = {short + long:.4f}, and backward() says {w.grad:.4f}")

# %% [markdown]
# **Try it.**
# 1. Which way brings more, the short one or the long one? Where does the long one lose so much?
# 2. Add a third step, `ta.tanh(w * y)`. How many ways lead back to `w` now?

# %% [markdown]
# ## ReLU · 修正线性单元
#
# The rectified linear unit cuts off what is negative, and does nothing else.
#
# $$\mathrm{relu}(z) = \max\{0, z\} \qquad
#   \cfrac{\mathrm{d}\ \mathrm{relu}(z)}{\mathrm{d} z} = \begin{cases} 0 & z < 0 \\ 1 & z \ge 0 \end{cases}$$

# %%
drawing.plot_activation("relu", low=-3, high=3)

# %% [markdown]
# The slope jumps at 0. A full dot is the value that is used there, an open one is the limit from the other side.
#
# > **A convention, not a slip.** At 0 there is a corner, and so no derivative. A program has to return something there;
# > every number from 0 to 1 is defensible. The document prints 1 for $z \ge 0$, and we follow it. PyTorch, JAX and
# > TensorFlow return 0. It hardly ever matters, because a computed number is hardly ever exactly 0.

# %%
table(ta.relu, -2.0, 0.0, 2.0)

# %% [markdown]
# **A network.** Two inputs, two hidden units, one output. We write it as a function of its activation, because the next
# two sections will put others into it.

# %%
x = np.array([1.0, 2.0])
W = ta.Tensor([[1.0, -1.0], [0.5, -1.0]], name="W")
v = ta.Tensor([2.0, 3.0], name="v")


def network(activation):
    """The output for x, after backward(), with gradients that start from nothing."""
    W.zero_grad()
    v.zero_grad()
    h = activation(x @ W)
    y = h @ v
    y.backward()
    return ta.draw(y, names={"x": x, "h": h, "y": y})


show(network(ta.relu))

# %% [markdown]
# The second hidden unit is at −3, so ReLU makes 0 of it, with slope 0. Its weights are the second column of `W`:

# %%
W.grad

# %% [markdown]
# No gradient reaches them, so a step of training does not change them. If this happens for every example, the unit is
# *dead*: it will never recover. `ta.explain` finds such places:

# %%
y = ta.relu(x @ W) @ v
print(ta.explain(y, wrt=W))

# %% [markdown]
# **Try it.**
# 1. Change one entry of `W` so that the second unit is at exactly 0. What is its column of `W.grad`, by the document's
#    rule? What would it be in PyTorch?
# 2. Make both units negative. What do the gradients of `W` and of `v` become, and why that of `v` too?

# %% [markdown]
# ## Leaky ReLU · 带泄漏修正线性单元
#
# A ReLU that leaks: below 0 it keeps a small slope $\alpha$, usually 0.01, so that no unit can die.
#
# $$\mathrm{leaky\_relu}(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases} \qquad
#   \cfrac{\mathrm{d}\ \mathrm{leaky\_relu}(z)}{\mathrm{d} z}
#   = \begin{cases} 1 & z > 0 \\ \alpha & z \le 0 \end{cases}$$
#
# The document prints no derivative here. This one is read off its branches; at 0 it is $\alpha$, because 0 belongs to
# the branch $z \le 0$. In the plot $\alpha = 0.1$, to make the slope visible.

# %%
drawing.plot_activation(ta.LeakyReLU(alpha=0.1), low=-3, high=3)

# %%
print(table(ta.leaky_relu, -2.0, 0.0, 2.0))  # α = 0.01
print(table(ta.LeakyReLU(alpha=0.1), -2.0, 0.0, 2.0))

# %% [markdown]
# **A network.** The one from before, with nothing else changed. The second unit now lets a tenth of the gradient
# through.

# %%
show(network(ta.LeakyReLU(alpha=0.1)))

# %%
W.grad

# %% [markdown]
# **Try it.**
# 1. Change $\alpha$ to 0.5. What happens to the value and to the slope at −2? And to the second column of `W.grad`?
# 2. What do $\alpha = 0$ and $\alpha = 1$ make of the function? Which one is useless in a network, and why?

# %% [markdown]
# ## ELU · 指数线性单元
#
# The exponential linear unit bends smoothly below 0 and levels off at $-\alpha$.
#
# $$\mathrm{elu}(x) = \begin{cases} x & x \ge 0 \\ \alpha(e^x - 1) & x < 0 \end{cases} \qquad
#   \cfrac{\mathrm{d}\ \mathrm{elu}(x)}{\mathrm{d} x} = \begin{cases} 1 & x \ge 0 \\ \alpha e^x & x < 0 \end{cases}$$
#
# Here too the document prints no derivative. Below 0 it can also be had from the value, as
# $\alpha e^x = \mathrm{elu}(x) + \alpha$.

# %%
drawing.plot_activation("elu", low=-4, high=3)

# %% [markdown]
# With $\alpha = 1$ the two branches meet with the same slope: $f'$ is continuous, and only $f''$ jumps. With any other
# $\alpha$ there is a corner at 0. There our slope is 1, because 0 belongs to the branch $x \ge 0$.

# %%
print(table(ta.elu, -2.0, 0.0, 2.0))  # α = 1
print(table(ta.ELU(alpha=2.0), -2.0, 0.0, 2.0))

# %% [markdown]
# The two forms of the rule below 0, by hand, at −2 with $\alpha = 2$:

# %%
alpha, x_below = 2.0, -2.0
value = alpha * (np.exp(x_below) - 1)
print(f"α eˣ = {alpha * np.exp(x_below):.4f}     elu(x) + α = {value + alpha:.4f}")

# %% [markdown]
# **A network.** Once more the same one.

# %%
show(network(ta.elu))

# %% [markdown]
# The second unit is at −3, where the slope is $e^{-3} \approx 0.05$: more than nothing, but it fades as the unit gets
# further below 0. A Leaky ReLU keeps its slope there; an ELU keeps its value bounded.
#
# **Try it.**
# 1. Change $\alpha$ to 2. What happens to the gradient at −2? What value does the function level off at?
# 2. Plot `ta.ELU(alpha=2.0)`. What is written below the plot, and what do the dots at 0 say?

# %% [markdown]
# ## Four slopes in one picture
#
# Look at −3: there the sigmoid has 0.045 left, ReLU nothing, Leaky ReLU its $\alpha$, here 0.1, and
# ELU 0.05.

# %%
figure = style.new_figure(6.4, 3.4)
axes = figure.subplots()
style.plain(axes)
below, above = np.linspace(-5, -0.001, 400), np.linspace(0.001, 3, 200)  # two slopes jump at 0
functions = [ta.sigmoid, ta.relu, ta.LeakyReLU(alpha=0.1), ta.elu]
for f, dashes, colour in zip(functions, ["-", "-", "--", ":"], style.PALETTE[:4], strict=True):
    axes.plot(below, table(f, *below)[2], dashes, lw=2.5, color=colour, label=f.name)
    axes.plot(above, table(f, *above)[2], dashes, lw=2.5, color=colour)
axes.set(xlabel="$x$", ylabel="$f'(x)$")
axes.legend(frameon=False)
figure

# %% [markdown]
# Why this matters: the chain rule multiplies the slopes of all layers. Suppose there are ten, and the inputs of all
# ten activations are at −1, or all at 1:

# %%
for f in [ta.sigmoid, ta.tanh, ta.relu, ta.leaky_relu, ta.elu]:
    left, right = table(f, -1.0, 1.0)[2] ** 10
    print(f"{f.name:<11} at −1: {left:7.1e}    at 1: {right:7.1e}")

# %% [markdown]
# Gradients that shrink so much are called *vanishing*. This is why deep networks rarely have sigmoids inside: the last
# three functions keep the gradient whole as long as their inputs are positive.

# %% [markdown]
# ## Softmax · 归一化指数函数
#
# Softmax turns a row of numbers, the *logits*, into positive numbers that sum to 1: a probability for each class.
#
# $$\mathrm{softmax}(\boldsymbol{z}) = \left(\cfrac{e^{z_1}}{\sum_i^n e^{z_i}}, \dots,
#   \cfrac{e^{z_n}}{\sum_i^n e^{z_i}}\right)^\mathrm{T}
#   = \cfrac{\exp(\boldsymbol{z})}{\boldsymbol{1}_{n \times 1}^\mathrm{T} \cdot \exp(\boldsymbol{z})},
#   \quad \boldsymbol{1} \in \mathbb{R}^n$$
#
# With the ones the sum is written as a product: $\boldsymbol{1}^\mathrm{T} \exp(\boldsymbol{z}) = \sum_j e^{z_j}$.
#
# **At work.**

# %%
z = ta.Tensor([2.0, 1.0, 0.0], name="z")
a = ta.softmax(z)
print("by us  ", a.data)
print("by hand", np.exp(z.data) / np.exp(z.data).sum())

# %% [markdown]
# Softmax only looks at differences. Add the same number to all logits, and it cancels in the fraction. This is how it
# is computed: $e^{1000}$ is too large for a computer, so the largest logit is subtracted from all of them first.

# %%
print(ta.softmax(np.array([2.0, 1.0, 0.0])))
print(ta.softmax(np.array([1002.0, 1001.0, 1000.0])))

# %% [markdown]
# There is no single slope to plot, because every output depends on every input. But we can move one logit and keep the
# other two. Moving $z_1$ moves all three:

# %%
figure = style.new_figure(6.4, 3.2)
axes = figure.subplots()
style.plain(axes)
z1 = np.linspace(-5, 7, 200)
rows = ta.softmax(np.stack([z1, np.full(200, 1.0), np.full(200, 0.0)], axis=1))
for i in range(3):
    axes.plot(z1, rows[:, i], lw=2, color=style.PALETTE[i], label=f"$a_{i + 1}$")
axes.set(xlabel="$z_1$, while $z_2 = 1$ and $z_3 = 0$", ylabel="softmax")
axes.legend(frameon=False)
figure

# %% [markdown]
# ### The Jacobian
#
# Write (记) $a_i = \cfrac{e^{z_i}}{\sum_{j=1}^n e^{z_j}}$ for the outputs. How $a_s$ changes with $z_i$ is a table of
# $n \times n$ numbers, the Jacobian:
#
# $$\cfrac{\partial a_s}{\partial z_i} = \begin{cases}
#   \cfrac{e^{z_i}\sum_j e^{z_j} - e^{z_i}e^{z_i}}{(\sum_j e^{z_j})^2} = a_i (1 - a_i) & s = i \\
#   -\cfrac{e^{z_s}e^{z_i}}{(\sum_j e^{z_j})^2} = - a_s a_i & s \neq i
# \end{cases}$$
#
# > **Two slips in the document.** *Printed* is $e^z_i$ in the first row; *meant* is $e^{z_i}$, the exponential of the
# > $i$-th logit.
# >
# > *Printed* is $\frac{e^{z_s}e^{z_i}}{(\dots)^2} = \dots = -a_s a_i$ in the second row; *meant* is a minus before
# > the fractions as well. *Why:* a positive fraction cannot equal a negative number. The minus is that of the
# > quotient rule: $e^{z_s}$ does not depend on $z_i$, so above the line there is
# > $0 \cdot \sum_j e^{z_j} - e^{z_s} e^{z_i}$. The result is printed correctly.
#
# By hand, entry by entry:

# %%
a1, a2, a3 = a.data
by_hand = np.array(
    [
        [a1 * (1 - a1), -a1 * a2, -a1 * a3],
        [-a2 * a1, a2 * (1 - a2), -a2 * a3],
        [-a3 * a1, -a3 * a2, a3 * (1 - a3)],
    ]
)
by_hand

# %% [markdown]
# And by us, without the formula for the Jacobian: the gradient of each output is one row.

# %%
by_us = np.array([ta.gradients(a[s], z).data for s in range(3)])
print(by_us)
print(f"greatest difference: {np.abs(by_us - by_hand).max():.0e}")

# %% [markdown]
# They agree, up to rounding in the seventeenth decimal. Every row sums to 0, and so does every column: what one class
# gains the others lose, and adding the same number to all logits changes nothing.
#
# ### The rule
#
# A network has a loss $L$ behind the softmax. By the chain rule (由链式法则可得) the gradient is a sum over all
# outputs, because $z_i$ acts through each of them:
#
# $$\cfrac{\partial L}{\partial z_i} = \sum_{s=1}^n \cfrac{\partial L}{\partial a_s} \cfrac{\partial a_s}{\partial z_i}
#   = \sum_{s=1,\, s \neq i}^n \cfrac{\partial L}{\partial a_s} (-a_s a_i)
#   + \cfrac{\partial L}{\partial a_i}\, a_i (1 - a_i)$$
#
# > **A slip in the document.** *Printed* is $\frac{\partial L}{\partial a_s}$ in the last term; *meant* is
# > $\frac{\partial L}{\partial a_i}$. *Why:* the last term is the one with $s = i$, taken out of the sum. Outside of
# > the sum there is no $s$.
#
# Write $g_s$ for $\frac{\partial L}{\partial a_s}$. The term $-g_i a_i a_i$ at the end fits into the sum, and then
# $a_i$ can be taken out. What is left needs no table of $n \times n$ numbers:
#
# $$\cfrac{\partial L}{\partial z_i} = a_i \Big(g_i - \sum_{s=1}^n g_s a_s\Big)$$
#
# Let the loss be $L = g_1 a_1 + g_2 a_2 + g_3 a_3$ with $g = (1, 2, 4)$:

# %%
g = np.array([1.0, 2.0, 4.0])
z = ta.Tensor([2.0, 1.0, 0.0], name="z")
a = ta.softmax(z)
L = g @ a
L.backward()
print("by backward()      ", z.grad)
print("by the short rule  ", a.data * (g - g @ a.data))
print("by the Jacobian    ", g @ by_hand)

# %%
show(ta.draw(L, names={"g": g, "a": a, "L": L}))

# %% [markdown]
# **Try it.**
# 1. Set `g` to three equal numbers. What are the gradients, and why?
# 2. Set the first logit to 20. Which entries of the Jacobian are left? Softmax saturates too.

# %% [markdown]
# ### TensorFlow
#
# In the document this heading is followed by a block of code that is empty. Here it is, filled in: the Jacobian, the
# gradient for the loss above, and the one of the next section, softmax with cross-entropy, by TensorFlow's
# `GradientTape` and by us.


# %%
def by_tensorflow(z, g, y):
    """The Jacobian of softmax, the gradient of g · softmax, and that of cross-entropy with y."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # only errors
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape(persistent=True) as tape:
        a = tf.nn.softmax(z)
        loss = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z)
    return {
        "softmax, Jacobian": tape.jacobian(a, z).numpy(),
        "softmax, g = (1, 2, 4)": tape.gradient(a, z, output_gradients=tf.constant(g)).numpy(),
        "softmax + cross-entropy": tape.gradient(loss, z).numpy(),
    }


def by_tinygrad_act(z, g, y):
    """The same."""
    z = ta.Tensor(z)
    a = ta.softmax(z)
    loss = ta.cross_entropy(z, y)
    return {
        "softmax, Jacobian": np.array([ta.gradients(a[s], z).data for s in range(len(g))]),
        "softmax, g = (1, 2, 4)": ta.gradients(a, z, g).data,
        "softmax + cross-entropy": ta.gradients(loss, z).data,
    }


# %%
logits, target = np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
ours = by_tinygrad_act(logits, g, target)
try:
    theirs = by_tensorflow(logits, g, target)
except ImportError:
    theirs = {}
    print("TensorFlow is not installed, so only our results are shown.")
    print("To compare: pip install tensorflow\n")

for name, result in ours.items():
    print(name)
    print("  tinygrad_act  ", str(result).replace("\n", "\n" + 17 * " "))
    if theirs:
        print("  TensorFlow    ", str(theirs[name]).replace("\n", "\n" + 17 * " "))
        print(f"  greatest difference {np.abs(result - theirs[name]).max():.0e}")

# %% [markdown]
# ## Softmax and cross-entropy together · softmax + cross_entropy 的一起求导
#
# A classifier is trained with the cross-entropy between the target $\boldsymbol{y}$, which says what is right, and the
# softmax of the logits, $\boldsymbol{\hat{y}} = \boldsymbol{a}$, which says what the network believes:
#
# $$l(\boldsymbol{y}, \boldsymbol{\hat{y}}) = -\boldsymbol{y}^\mathrm{T} \ln
#   \cfrac{\exp(\boldsymbol{z})}{\boldsymbol{1}_{n \times 1}^\mathrm{T} \exp(\boldsymbol{z})}$$
#
# With a target like $(0, 1, 0)$ this is $-\ln a_2$: small if the right class gets a probability near 1, large if not.
#
# The logarithm of a fraction is a difference, and the logarithm of an exponential goes away. As the target sums to 1,
# $\boldsymbol{y}^\mathrm{T} \boldsymbol{1} = 1$, we get (可得)
#
# $$l = -\boldsymbol{y}^\mathrm{T} \boldsymbol{z} + \ln(\boldsymbol{1}_{n \times 1}^\mathrm{T} \exp(\boldsymbol{z}))$$
#
# Now differentiate. The logarithm gives one over its argument, and its argument gives $\exp(\boldsymbol{z})$ again.
# Hence (故)
#
# $$\cfrac{\partial l}{\partial \boldsymbol{z}} = -\boldsymbol{y}
#   + \cfrac{\exp(\boldsymbol{z})}{\boldsymbol{1}_{n \times 1}^\mathrm{T} \exp(\boldsymbol{z})}
#   = \boldsymbol{a} - \boldsymbol{y}$$
#
# **What the network believes, minus what is right.** Nothing else is left of all the fractions.
#
# > **Slips in the document.** *Printed* is $\ln(\boldsymbol{1}^\mathrm{T} \boldsymbol{z})$ from the
# > second step on, and in the result
# > $-\boldsymbol{y} + \frac{\boldsymbol{1}}{\boldsymbol{1}^\mathrm{T} \boldsymbol{z}}$. *Meant* is
# > $\ln(\boldsymbol{1}^\mathrm{T} \exp(\boldsymbol{z}))$, and in the result
# > $\frac{\exp(\boldsymbol{z})}{\boldsymbol{1}^\mathrm{T} \exp(\boldsymbol{z})}$. *Why:* the first line still has the
# > exponential below the line; it was lost when the fraction was taken apart. Without it the sum of the logits could
# > be negative, and would have no logarithm.
# >
# > Two small ones: in the first line a transposition sign is missing at $\boldsymbol{1}_{n \times 1}$, and the
# > condition is printed as $\boldsymbol{\hat{y}}^\mathrm{T} \boldsymbol{1} = 1$. That is true, but the step that
# > follows needs it of the target: $\boldsymbol{y}^\mathrm{T} \boldsymbol{1} = 1$.

# %%
z = ta.Tensor([2.0, 1.0, 0.0], name="z")
target = np.array([0.0, 1.0, 0.0])
loss = ta.cross_entropy(z, target)
loss.backward()
a = ta.softmax(z.data)
print("loss    ", f"{loss.item():.4f}, and -ln a₂ = {-np.log(a[1]):.4f}")
print("gradient", z.grad)
print("a - y   ", a - target)

# %% [markdown]
# The gradient sums to 0. A step against it lowers the two wrong logits and raises the right one.
#
# Is the result as printed, $-\boldsymbol{y} + \boldsymbol{1} / \boldsymbol{1}^\mathrm{T} \boldsymbol{z}$, really wrong?
# There is a judge who knows no rule: change one logit a little, and see how much the loss changes.

# %%
step = 1e-6
up = np.array([ta.cross_entropy(z.data + step * unit, target) for unit in np.eye(3)])
down = np.array([ta.cross_entropy(z.data - step * unit, target) for unit in np.eye(3)])
print("measured   ", (up - down) / (2 * step))
print("as meant   ", a - target)
print("as printed ", -target + 1 / z.data.sum())

# %% [markdown]
# **A network.** One input and three classes, so there are three weights; the second class is the right one.

# %%
x = np.array(2.0)
w = ta.Tensor([1.0, 0.5, 0.0], name="w")
z = x * w
loss = ta.cross_entropy(z, target)
loss.backward()
show(ta.draw(loss, names={"x": x, "z": z, "target": target, "loss": loss}))

# %% [markdown]
# The box `z` has the gradient $\boldsymbol{a} - \boldsymbol{y}$ from above, and `w` has it times `x`. On the page you
# can watch both being made.

# %%
ta.step_through(loss, names={"x": x, "z": z, "target": target, "loss": loss})

# %% [markdown]
# **Why one op and not two?** Not only because the rule is short. Let a network be nearly certain, and right. Then its
# probability rounds to exactly 1, and all that was left to learn is rounded away:

# %%
z = np.array([40.0, 0.0, 0.0])
print("in two steps: loss", np.log(1 / ta.softmax(z)[0]))
print("in one:       loss", ta.cross_entropy(z, np.array([1.0, 0.0, 0.0])))

# %% [markdown]
# **Try it.**
# 1. Set the target to (0, 0, 1), the least likely class. How large is the loss, and how large can a single entry of
#    the gradient become at most?
# 2. Set the target to the softmax itself, `ta.softmax(z.data)`. What is the gradient? Is the loss 0? (With `.data` it
#    is a constant. Without, the target would be differentiated too.)
# 3. Set the target to (0.1, 0.8, 0.1). This is called *label smoothing*. Which logits would make the gradient vanish?

# %% [markdown]
# ## Maxout · 最大输出单元
#
# Maxout takes several numbers and keeps the greatest:
#
# $$\mathrm{maxout}(\boldsymbol{x}) = \max\{x_1, \dots, x_n\} \qquad
#   \cfrac{\partial\, \mathrm{maxout}}{\partial x_i} = \begin{cases} 1 & x_i \text{ is the greatest} \\ 0 & \text{else}
#   \end{cases}$$
#
# The document prints no derivative. Only the winner can change the result, so it gets the whole gradient. At a tie any
# split is defensible whose parts are not negative and sum to 1; ours is an even one.

# %%
for numbers in [[1.0, 5.0, 3.0], [4.0, 4.0, 1.0]]:
    x = ta.Tensor(numbers)
    y = ta.maxout(x)
    y.backward()
    print("maxout of", x.data, "is", y.data, "with the gradient", x.grad)

# %% [markdown]
# In a network the numbers are the outputs of straight lines, and the lines are learned. Their maximum bends upwards.
# So a maxout unit does not have one activation function: it learns its own. Here are three lines, and their maximum:

# %%
figure = style.new_figure(6.4, 4.4)
above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
slopes, heights = np.array([-1.0, 0.2, 1.5]), np.array([-1.0, 0.3, -1.5])
numbers = ta.Tensor(np.linspace(-4, 4, 401))
lines = numbers[:, None] * slopes + heights
y = ta.maxout(lines)
y.sum().backward()
above.plot(numbers.data, lines.data, "--", lw=1, color=style.INK, label=["the lines", None, None])
above.plot(numbers.data, y.data, lw=2.5, color=style.PALETTE[0], label="maxout")
below.plot(numbers.data, numbers.grad, ".", ms=3, color=style.PALETTE[1])
above.set(ylabel="$f(x)$", ylim=(-2, 5))
below.set(ylabel="$f'(x)$", xlabel="$x$")
above.legend(frameon=False)
style.plain(above)
style.plain(below)
figure

# %% [markdown]
# The slope is that of whichever line is on top.
#
# ### A network that learns xor
#
# *xor* is 1 where exactly one of two inputs is 1. No straight line separates the ones from the zeros, so a linear
# model must fail. But $|a - b|$ is xor, and $|a - b| = \max\{a - b,\ b - a\}$ is a maxout of two lines. Let us see
# whether two maxout units, each of two lines, find something like it by themselves.

# %%
points, labels = ta.data.xor()
target = labels[:, None].astype(float)
rng = np.random.default_rng(0)
model = nn.Sequential(nn.Maxout(2, 2, pieces=2, rng=rng), nn.Linear(2, 1, rng=rng))
model

# %%
loss = ta.bce_with_logits(model(points), target)
loss.backward()
show(ta.draw(loss, names={"points": points, "target": target, "loss": loss}))

# %% [markdown]
# The loss is the cross-entropy for two classes, which needs only one logit. A training step goes: compute the loss,
# walk back, move each weight a little against its gradient.

# %%
optimizer = ta.optim.Adam(model.parameters(), lr=0.05)
for step in range(1, 201):
    loss = ta.bce_with_logits(model(points), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step in (1, 20, 50, 100, 200):
        print(f"step {step:3}   loss {loss.item():.4f}")

print("\n a  b  xor  network")
for (a, b), label, p in zip(points, labels, ta.sigmoid(model(points)).data[:, 0], strict=True):
    print(f" {a:.0f}  {b:.0f}   {label}   {p:.4f}")

# %% [markdown]
# Learned. On the left the plane, as the network sees it; on the right its two maxout units. Each is a pair of slopes
# that meet in a fold.

# %%
drawing.plot_decision_boundary(model, points, labels, hidden=True)

# %% [markdown]
# **Try it.**
# 1. Set `pieces=1`. What is a maxout of one line? Does the network still learn xor?
# 2. Use other seeds than 0. Does it always learn? Does it help to have three or four maxout units?
# 3. Which of the functions above are a maxout of two lines? Write ReLU and Leaky ReLU in this way.

# %% [markdown]
# ## All of it on one page
#
# | function | from … to | slope | keep in mind |
# |---|---|---|---|
# | sigmoid, *s* | 0 … 1 | s (1 − s) | the slope is at most ¼, and fades on both sides |
# | tanh | −1 … 1 | 1 − tanh² x | the slope is at most 1, and fades on both sides |
# | ReLU | 0 … ∞ | 0 or 1 | units can die |
# | Leaky ReLU | −∞ … ∞ | α or 1 | no unit dies |
# | ELU | −α … ∞ | αeˣ or 1 | bounded below, where the slope fades |
# | softmax, *a* | 0 … 1, with the sum 1 | aᵢ (gᵢ − Σ gₛaₛ) | only differences of logits count |
# | … with cross-entropy | 0 … ∞ | aᵢ − yᵢ | takes logits, not probabilities |
# | maxout | −∞ … ∞ | 1 for the winner | learns its own shape |

# %% [markdown]
# ## Answers
#
# **Sigmoid**
# 1. It is ¼, and no: the slope is greatest at 0.
# 2. At $z = 10$ the slope is $4.5 \cdot 10^{-5}$, about 4,300 times less than 0.1966. It would learn very slowly.
#
# **tanh**
# 1. The short one. The long one passes the first tanh, which is at 2, where the slope is only 0.07.
# 2. Three, one for each use of `w`.
#
# **ReLU**
# 1. For instance $W_{12} = 2$. The column is then as if the unit were on, $(3, 6)$; in PyTorch it is $(0, 0)$.
# 2. Both become 0: that of `W` because the slopes are 0, that of `v` because it is multiplied by the values, which
#    are 0.
#
# **Leaky ReLU**
# 1. The value becomes −1 and the slope 0.5; the column becomes $0.5 \cdot (3, 6) = (1.5, 3)$.
# 2. ReLU, and the identity. The identity is useless, as layers without a bend between them are together just one
#    linear layer.
#
# **ELU**
# 1. It doubles, from 0.135 to 0.271. The function levels off at −2.
# 2. That at 0 the slope is 2 from the left and 1 from the right, and that 1 is chosen: the full dot.
#
# **Softmax**
# 1. All 0: if each output counts the same, then $L$ is that number times a sum that is always 1.
# 2. None: all of them are nearly 0, as one class has nearly all the probability.
#
# **Softmax and cross-entropy**
# 1. The loss is 2.41. No entry can be beyond −1 or 1, as both $a_i$ and $y_i$ are between 0 and 1.
# 2. All 0. But the loss is not: it is the entropy of the target, 0.83.
# 3. Those whose softmax is the target, such as $\ln(0.1), \ln(0.8), \ln(0.1)$.
#
# **Maxout**
# 1. Just a line. Then the whole network is linear, and cannot learn xor.
# 2. Not always: with two units about one seed in five gets stuck; with four units, one in twenty.
# 3. $\mathrm{relu}(z) = \max\{0 \cdot z, z\}$, and $\mathrm{leaky\_relu}(z) = \max\{\alpha z, z\}$ for
#    $\alpha \le 1$.

# %% [markdown]
# ## References · 参考资料
#
# The document names two articles, in Chinese:
#
# - [一文概览深度学习中的激活函数（入门篇）](https://zhuanlan.zhihu.com/p/98472075), an overview of activation
#   functions in deep learning for beginners
# - [一文详解Softmax函数](https://zhuanlan.zhihu.com/p/105722023), softmax in detail
#
# The functions it leaves without a source are from these papers:
#
# - Leaky ReLU: Maas, Hannun, Ng: *Rectifier Nonlinearities Improve Neural Network Acoustic Models*, 2013
# - ELU: Clevert, Unterthiner, Hochreiter: *Fast and Accurate Deep Network Learning by Exponential Linear Units (ELUs)*,
#   2015, [arXiv:1511.07289](https://arxiv.org/abs/1511.07289)
# - Maxout: Goodfellow, Warde-Farley, Mirza, Courville, Bengio: *Maxout Networks*, 2013,
#   [arXiv:1302.4389](https://arxiv.org/abs/1302.4389)
