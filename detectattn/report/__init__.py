"""The report of a study: pure data in, text out. It never touches a model, a record or a picture."""
