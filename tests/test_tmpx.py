import time, pytest
from tests.edge import *
from django.urls import reverse
def test_a(cast):
    live = Live(cast)
    t=time.time()
    d = live.deal(); print("deal", time.time()-t); t=time.time()
    a = live.accepted(); print("accepted", time.time()-t); t=time.time()
    s = live.sent_back(); print("sentback", time.time()-t); t=time.time()
    r = live.received(); print("received", time.time()-t); t=time.time()
    c = live.browser("referrals@contoso.example"); print("login", time.time()-t); t=time.time()
    for u in ["/", "/co-sell/", f"/co-sell/{d.public_id}/", f"/co-sell/{s.referral.public_id}/registration/", "/co-sell/new/"]:
        x = c.get(u); print(u, x.status_code, time.time()-t); t=time.time()
    p = parse(x)
    print(p.one("form", id="new-deal").fields())
    r = live.browser("reviewer@vendor.example")
    for u in ["/admin/", "/admin/dealreg/registration/", f"/admin/dealreg/registration/{s.pk}/change/", "/admin/dealreg/registration/²/change/"]:
        try:
            x = r.get(u); print(u, x.status_code, time.time()-t); t=time.time()
        except Exception as e: print(u, repr(e))
    for u in ["/co-sell/?q=%00", "/customers/suggest/?customer_search=a%00&country=TR", "/customers/suggest/?customer_search=a&country=%00", "/accounts/email/", "/co-sell/?after=0001-01-01T00:00%2B14:00_1","/co-sell/?after=9999-12-31T23:59-14:00_1"]:
        try:
            x = c.get(u); print(u, x.status_code, time.time()-t); t=time.time()
        except Exception as e: print(u, repr(e))
    x = c.post("/accounts/email/", {"action_add": "", "email": "victim@contoso.example"}); print(x.status_code, x.get("Location"))
    x = c.post("/accounts/email/", {"action_primary": "", "email": "victim@contoso.example"}); print(x.status_code, x.get("Location"))
    u = cast.users["referrals@contoso.example"]; u.refresh_from_db(); print(u.email)
    x = c.get("/accounts/email/"); print(x.content.decode()[:3000])
def test_b(cast): pass
def test_c(cast): pass
