"""Documents written from the code: error codes, requirements, the texts of the API's own documentation."""
