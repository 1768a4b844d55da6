// Package viewer watches cameras from Go: Dial connects to a publisher, by its
// peer id and through a signaling server, and gives coded frames and the
// publisher's HTTP API.
//
//	id, err := viewer.LoadIdentity("viewer.key")
//	...
//	s, err := viewer.Dial(ctx, viewer.Options{SignalURL: "wss://signal.example", Identity: id, Peer: peer})
//	...
//	defer s.Close()
//	out := viewer.NewAnnexBWriter(os.Stdout)
//	for {
//		f, err := s.ReadFrame(ctx)
//		if err != nil {
//			return err
//		}
//		if f.Codec == codecs.H264 {
//			if err := out.WriteUnit(f.Unit); err != nil {
//				return err
//			}
//		}
//	}
//
// The signaling server is not trusted: nothing is connected to unless the
// publisher's own key signed the answer to this very offer.
package viewer
