"""Images of every kind, volumes, surfaces and CIFTI, as values on the elements of a space."""
