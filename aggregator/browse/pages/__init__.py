"""The pages: each turns a visit into an answer."""
