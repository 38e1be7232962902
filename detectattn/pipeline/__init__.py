"""The way of an image: decode, batch, infer and write at the same time, in bounded memory."""
