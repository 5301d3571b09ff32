"""From a wire request to a wire response, or to a fault that says whether the server can have processed it."""
