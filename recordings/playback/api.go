package playback

// API answers requests about recordings. Make it with New. Safe for concurrent use.
type API struct {
	// Constant after construction.
	opts Options
}

// New checks the options. It does no I/O.
func New(o Options) (*API, error) {
	return &API{opts: o}, nil
}

// Routes returns the API's paths.
func (a *API) Routes() []Route { return nil }
