"""Documents that events name by reference: fetched by https, verified, spooled. Implements `ports.DocumentStore`."""

from worker.documents.config import DocumentsConfig
from worker.documents.https import HttpsDocuments

__all__ = ["DocumentsConfig", "HttpsDocuments"]
