package signaling

import (
	"errors"
	"testing"
)

// restartable is a session with a complete handshake.
func restartable(t *testing.T) (*ViewerSession, *PublisherSession) {
	t.Helper()
	p := newPair(t)
	v, offer := p.offer(t, noon)
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Receive(open(t, must(t)(s.Answer(noon, sdp)))); err != nil {
		t.Fatal(err)
	}
	return v, s
}

func TestRestart_OffersNewParametersAndTakesTheAnswerToTheLast(t *testing.T) {
	v, s := restartable(t)
	m, err := v.Receive(open(t, must(t)(s.RequestRestart(noon, "The network has changed."))))
	if r, ok := m.(*RestartRequest); err != nil || !ok || r.Reason != "The network has changed." {
		t.Fatalf("received %+v, %v", m, err)
	}
	first := must(t)(v.Restart(noon, sdp+"1"))
	second := must(t)(v.Restart(noon, sdp+"2"))
	receive := func(sealed string) *Restart {
		m, err := s.Receive(open(t, sealed))
		r, ok := m.(*Restart)
		if err != nil || !ok {
			t.Fatalf("received %+v, %v", m, err)
		}
		return r
	}
	early := must(t)(s.Restarted(noon, receive(first), sdp+"a"))
	late := must(t)(s.Restarted(noon, receive(second), sdp+"b", ICEServer{URLs: []string{"stun:a"}}))
	if m, err := v.Receive(open(t, early)); !errors.Is(err, ErrUnexpected) {
		t.Errorf("the answer to an outdated restart gives %+v, %v", m, err)
	}
	m, err = v.Receive(open(t, late))
	if r, ok := m.(*Restarted); err != nil || !ok || r.SDP != sdp+"b" || len(r.ICE) != 1 {
		t.Fatalf("received %+v, %v", m, err)
	}
	again := must(t)(s.Restarted(noon, &Restart{Header: Header{Seq: m.(*Restarted).Restart}}, sdp+"c"))
	if m, err := v.Receive(open(t, again)); !errors.Is(err, ErrUnexpected) {
		t.Errorf("a second answer gives %+v, %v", m, err)
	}
	if _, err := v.Receive(open(t, must(t)(s.Candidate(noon, "", "")))); err != nil {
		t.Error("a refused message disturbs the session:", err)
	}
}

func TestRestart_IsBoundToTheHandshakeAndTheRole(t *testing.T) {
	v, s := restartable(t)
	if m, err := v.Receive(open(t, must(t)(s.send(&Restart{Header: s.next(noon), Transcript: s.transcript, SDP: sdp})))); !errors.Is(err, ErrUnexpected) {
		t.Errorf("a publisher's restart gives %+v, %v", m, err)
	}
	for name, forged := range map[string]Message{
		"a viewer's answer":  &Restarted{Header: v.next(noon), Transcript: v.transcript, Restart: 1, SDP: sdp, ICE: []ICEServer{}},
		"a viewer's request": &RestartRequest{Header: v.next(noon), Transcript: v.transcript},
		"another handshake":  &Restart{Header: v.next(noon), Transcript: HashOf("x"), SDP: sdp},
	} {
		if m, err := s.Receive(open(t, must(t)(v.send(forged)))); !errors.Is(err, ErrUnexpected) {
			t.Errorf("%s gives %+v, %v", name, m, err)
		}
	}
	if m, err := v.Receive(open(t, must(t)(s.Restarted(noon, &Restart{Header: Header{Seq: 2}}, sdp)))); !errors.Is(err, ErrUnexpected) {
		t.Errorf("an answer that was not asked for gives %+v, %v", m, err)
	}
	fresh := newPair(t)
	unanswered, _ := fresh.offer(t, noon)
	if _, err := unanswered.Restart(noon, sdp); !errors.Is(err, ErrUnexpected) {
		t.Error("a restart before the answer:", err)
	}
}
