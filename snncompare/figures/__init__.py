"""Tables and arrays -> matplotlib figures, each saved as PNG, PDF, SVG and CSV.

Every kind of figure is one module with two functions of the same inputs: ``*_data`` returns the tables of what
is drawn, ``*_figure`` draws exactly these tables. `snncompare.figures.save.save_figure` writes both.
"""
