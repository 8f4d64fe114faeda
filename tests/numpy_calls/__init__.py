"""What people write with NumPy: each call is tried on Tensors, and compared to what it gives for arrays."""
