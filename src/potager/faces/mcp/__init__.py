"""The assistants' door: three generic tools that reach every operation, and some written for tasks."""
