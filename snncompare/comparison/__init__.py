"""Compare representational dissimilarity matrices of models and recordings, with statistics."""
