"""Web application: the one place where routers, checks and what they need come together."""

from fastapi import FastAPI

from daemon.web.body_limit import BodyLimit
from daemon.web.content_policy import ContentPolicy
from daemon.web.host_check import HostCheck
from daemon.web.refusal import install
from daemon.web.routers import bench, campaigns, certificates, events, health, measured, page, runs
from daemon.web.routers.metrics import metrics_router
from daemon.web.services import WebServices


def web_application(services: WebServices) -> FastAPI:
    """Return the application that serves these services.

    No CORS: a page of another origin may not read anything. No pages of FastAPI's own: they load scripts from afar.
    """
    app = FastAPI(title="joulebench", version=services.version, docs_url=None, redoc_url=None)
    app.state.services = services
    install(app)
    for router in (
        page.router,
        health.router,
        metrics_router(services.metrics),
        bench.router,
        events.router,
        measured.router,
        certificates.router,
        campaigns.router,
        runs.router,
    ):
        app.include_router(router)
    # The last one added is asked first.
    app.add_middleware(BodyLimit, refusals=services.refusals)
    app.add_middleware(HostCheck, names=services.names, refusals=services.refusals)
    app.add_middleware(ContentPolicy)
    return app
