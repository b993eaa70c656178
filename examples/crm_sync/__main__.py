"""python -m examples.crm_sync CRM.sqlite: keeps a CRM's file in step with the portal until it is stopped.

PORTAL_URL, CLIENT_ID and CLIENT_SECRET say where and as whom; TEMPLATE is a JSON file with what new deals need besides;
with WEBHOOK_PORT and WEBHOOK_SECRET it receives webhooks, too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from examples.crm_sync.crm import Crm
from examples.crm_sync.portal import Portal
from examples.crm_sync.receiver import server
from examples.crm_sync.sync import Sync


def main() -> None:
    path, env = sys.argv[1], os.environ
    portal = Portal(env["PORTAL_URL"], env["CLIENT_ID"], env["CLIENT_SECRET"])
    if port := int(env.get("WEBHOOK_PORT", "0")):
        receiver = server(path, port, env["WEBHOOK_SECRET"])
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
    sync = Sync(Crm(path), portal, json.loads(Path(env["TEMPLATE"]).read_text()))
    while True:
        if not sync.run_once():
            time.sleep(1)


if __name__ == "__main__":
    main()
