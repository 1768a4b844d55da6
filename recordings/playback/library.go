package playback

// Library is what the API needs of a store.
type Library interface{}
