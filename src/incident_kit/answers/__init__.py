"""The answers: one module and in it one public function of the same name each; evidence in, contracted columns out.

`incident_kit` offers the functions. They are not gathered here, so that asking one question loads nothing of the others.
"""
