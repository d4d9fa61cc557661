"""How the context changes what a part does."""
