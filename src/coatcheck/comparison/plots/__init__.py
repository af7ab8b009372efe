"""Pictures of figures as SVG, made of nothing but values.

``rows`` draws a row for each design, ``scatter`` two logarithmic axes. ``scales`` has the axes, ``marks`` what stands
for figures, ``lettering`` and ``placing`` keep labels apart, ``markup`` escapes. Colours are custom properties of the
page that the picture stands in. The same values give the same text. There is no door: the page imports what it needs.
"""
