package client

import "testing"

func TestTarget_AdmitsNoPrivateServersOfAPublicOne(t *testing.T) {
	for _, u := range []string{
		"stun:192.168.1.1", "stun:10.0.0.1:3478", "turn:172.16.0.1:80?transport=tcp", "stun:127.0.0.1:53", "turns:[::1]:443?transport=tcp",
		"stun:[::1]", "stun:[fd00::1]:3478", "stun:[fe80::1]:3478", "stun:169.254.169.254:80", "stun:[::ffff:192.168.1.1]:3478",
		"stun:localhost:631", "stun:LOCALHOST.:631", "stun:192.168.1.1.:3478",
	} {
		for server, want := range map[string]bool{
			"wss://signal.example.org": false, "wss://203.0.113.1:8443": false, "wss://[2001:db8::1]": false,
			"wss://192.168.1.9": true, "wss://localhost:8080": true, "ws://127.0.0.1:8080": true, "wss://[fd00::9]:8443": true,
			"wss://nas.local": true, "wss://signal:8443": true,
		} {
			if got := mustTarget(t, server).admits(u); got != want {
				t.Errorf("%s by %s: %v", u, server, got)
			}
		}
	}
	for u, want := range map[string]bool{
		"stun:a.example": true, "stun:a.example:3478": true, "turn:203.0.113.2:3478?transport=udp": true, "stun:[2001:db8::2]:3478": true,
		"stun:0.0.0.0:3478": false, "stun:[::]:3478": false, "stun:224.0.0.251:5353": false, "stun:[ff02::fb]:5353": false,
		"stun:127.1:80": false, "stun:2130706433": false, "stun:0x7f000001": false, "stun:0177.0.0.1": false,
		"stun:127.0.0.1#x": false, "stun:a@127.0.0.1": false, "stun:%31.example": false, "stun:?x": false, "stun:": false,
	} {
		for _, server := range []string{"wss://signal.example.org", "wss://192.168.1.9"} {
			if got := mustTarget(t, server).admits(u); got != want {
				t.Errorf("%s by %s: %v", u, server, got)
			}
		}
	}
}

func FuzzTarget_Admits(f *testing.F) {
	f.Add("stun:[::1%eth0]:1")
	f.Fuzz(func(t *testing.T, u string) {
		mustTarget(t, "wss://signal.example.org").admits(u)
	})
}

func mustTarget(t *testing.T, url string) target {
	t.Helper()
	got, err := parseTarget(url, false)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
