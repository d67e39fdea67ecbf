"""A batch of faces → the views a method asks for."""
