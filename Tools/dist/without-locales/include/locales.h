// SwiftPM wants a header of every C target; nothing calls this one.
