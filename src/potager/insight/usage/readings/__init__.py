"""The looks at a stream: one module each, with its parameters, its sentence, its picture and its people."""
