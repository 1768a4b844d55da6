package camera

// TapVideo is SubscribeVideo for what looks at its own pace and is no viewer: it is
// not counted as one, and Wake is not signalled for every frame, so that it costs
// nothing between two looks. It has to look at least every Slack frames
// (HubOptions), or lose whole GOPs.
func (h *Hub) TapVideo() *Subscription { return h.video.tap() }

// TapAudio is the same for sound.
func (h *Hub) TapAudio() *Subscription { return h.audio.tap() }
