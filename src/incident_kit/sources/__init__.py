"""The only package with a network: each source yields raw documents as the server sent them, and only reads."""
