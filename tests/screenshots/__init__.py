"""Screenshots for docs/images: the status page of a worker in good order and in trouble (`make screenshots`)."""
