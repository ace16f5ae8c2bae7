"""The words around the figures of docs/reference/accuracy.md."""
def page(results): return repr(results)
