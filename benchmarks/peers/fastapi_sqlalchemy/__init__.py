"""The catalogue the way most would write it today: FastAPI, SQLAlchemy 2 async, pydantic."""
