"""Build the book: execute the notebooks, addresses of the site."""
