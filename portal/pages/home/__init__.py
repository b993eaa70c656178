"""Home: what needs the person now, what ends soon, where the pipeline stands, what happened since they were last here.

Every figure says its number in `data-figure` and leads to the rows that it counts.
"""
