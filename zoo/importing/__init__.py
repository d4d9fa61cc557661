"""Other people's weights: a file, an importer's name, a model folder.

file -> read_weights -> WeightFile -> importer (kind "importer") -> Conversion -> import_model -> model folder
"""
