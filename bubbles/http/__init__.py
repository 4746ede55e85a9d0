"""The web: the only Starlette. `routes.py` is the whole URL table; a file a resource."""
