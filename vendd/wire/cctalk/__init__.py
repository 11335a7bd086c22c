"""ccTalk, the host's side: frames, the shared wire, and one machine per kind of device."""
