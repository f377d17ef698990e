"""How answers are shown: terminal tables, figures, the report, the notebooks. The only package that draws.

Nothing here filters, joins or judges: what is shown is what the answers say. Everything that came from a
log or a server is hostile input: it passes `text.visible` before it reaches a terminal, and an escaping
template before it reaches a page.
"""
