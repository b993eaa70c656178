"""Insights: what a company's deals of a period came to.

`period` reads the address; `charts` puts what the database answers (`referrals.selectors.figures`) into tables, which
the page shows and draws and the CSV files hold; `standing` does so with the deals that are open now; `kpis` are the
figures above them, beside those of the period before; `listing` is the list to which every figure leads. Other apps add
charts of their own (`referrals.web.insights`).
"""
