"""The meaning of observations: effects on elements, and the promises that they break. Pure."""
