"""Raw documents to declared tables; pure, no network."""
