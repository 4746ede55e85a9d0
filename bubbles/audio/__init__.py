"""Sound: untrusted bytes are decoded behind one door, and everything after works on our own PCM."""
