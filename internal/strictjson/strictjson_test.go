package strictjson

import (
	"encoding/json"
	"testing"
)

type embedded struct {
	A string `json:"a"`
}

type sample struct {
	embedded
	Embedded2
	N    int64           `json:"n"`
	List []item          `json:"list"`
	Raw  json.RawMessage `json:"raw"`
	Skip string          `json:"-"`
	hid  string
}

// Embedded2 is exported, as the embedded types of callers are.
type Embedded2 struct {
	B string `json:"b"`
}

type item struct {
	X string `json:"x"`
	P *int   `json:"p"`
}

func TestUnmarshal_AcceptsExactNames(t *testing.T) {
	var got sample
	in := `{"b":"1","n":2,"list":[{"x":"y","p":3},{"x":""}],"raw":{"anything":[{"Goes":1}]}} ` + "\n"
	if err := Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	if got.B != "1" || got.N != 2 || len(got.List) != 2 || *got.List[0].P != 3 || len(got.Raw) == 0 || got.hid != "" || got.Skip != "" {
		t.Errorf("%+v", got)
	}
}

func TestUnmarshal_RefusesWhatTwoReadersMayReadDifferently(t *testing.T) {
	for name, in := range map[string]string{
		"unknown name":           `{"z":1}`,
		"unknown name deep down": `{"list":[{"x":"","z":{}}]}`,
		"case":                   `{"B":"1"}`,
		"repeated":               `{"b":"1","b":"2"}`,
		"repeated, escaped":      `{"b":"1","\u0062":"2"}`,
		"go name":                `{"Skip":"1"}`,
		"minus":                  `{"-":"1"}`,
		"two values":             `{} {}`,
		"garbage after":          `{}x`,
		"comment":                `{/**/}`,
		"cut":                    `{"b":`,
		"cut in a list":          `{"list":[`,
		"empty":                  ``,
		"not UTF-8":              "{\"b\":\"\xff\"}",
		"half a character":       `{"b":"\ud800"}`,
		"the other half":         `{"b":"\udc00"}`,
		"the halves exchanged":   `{"b":"\udc00\ud800"}`,
		"two first halves":       `{"b":"\ud83d\ud83d\ude00"}`,
		"a half and a letter":    `{"b":"\uD83Dx"}`,
		"halves apart":           `{"b":"\ud83dx\ude00"}`,
		"a half and an escape":   `{"b":"\ud83d\n"}`,
		"half a name":            `{"\ud800":"1"}`,
		"a half left for later":  `{"raw":{"a":"\ud800"}}`,
		"array for an object":    `[]`,
		"object for a string":    `{"b":{}}`,
		"array for a string":     `{"b":[]}`,
		"fraction":               `{"n":1.5}`,
		"number as text":         `{"n":"1"}`,
		"too large":              `{"n":9223372036854775808}`,
	} {
		var got sample
		if err := Unmarshal([]byte(in), &got); err == nil {
			t.Errorf("%s: %s was accepted as %+v", name, in, got)
		}
	}
}

func TestUnmarshal_ReadsWhatIsEscapedInFull(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":"\ud83d\ude00\uD83D\uDE00"}`: "\U0001F600\U0001F600",
		`{"b":"\\ud800\u0041\\\n"}`:        `\ud800A\` + "\n",
		`{"b":"\ufffd"}`:                   "\ufffd",
	} {
		var got sample
		if err := Unmarshal([]byte(in), &got); err != nil || got.B != want {
			t.Errorf("%s: %q, %v", in, got.B, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"b":"1","n":2,"list":[{"x":"y","p":3}],"raw":{"a":[1]}}`))
	f.Add([]byte(`{"list":[[[`))
	f.Add([]byte(`{"b":"\ud83d\ude00"}`))
	f.Add([]byte(`{"b":"\ud83d`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var got, again sample
		if err := Unmarshal(in, &got); err != nil {
			return
		}
		if err := json.Unmarshal(in, &again); err != nil {
			t.Fatalf("accepted %q, which is not JSON: %v", in, err)
		}
	})
}
