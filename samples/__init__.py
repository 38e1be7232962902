"""Sample pictures with ground truth, and the code that draws them."""
