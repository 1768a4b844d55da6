package rtsp

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// address is where a camera is and how to log in. It knows how to speak about
// itself without the password.
type address struct {
	url     *base.URL // with credentials, for the library
	secrets []string  // every form the password may take in a text
}

// parseAddress parses the URL of a camera. Its errors do not repeat the URL.
func parseAddress(rawURL, username, password string) (*address, error) {
	rawURL = strings.TrimSpace(rawURL)
	if !strings.Contains(rawURL, "://") {
		return nil, errors.New("the camera's address is not a URL: write rtsp://host/path")
	}
	if !strings.HasPrefix(rawURL, "rtsp://") && !strings.HasPrefix(rawURL, "rtsps://") {
		return nil, errors.New("the camera's address begins with neither rtsp:// nor rtsps://")
	}
	u, err := base.ParseURL(rawURL)
	if err != nil || u.Hostname() == "" {
		// The library's error repeats the URL, and with it the password.
		return nil, errors.New("the camera's address is not a valid URL: write rtsp://host:port/path, " +
			"and percent-encode special characters in the user name and password (@ is %40, / is %2F, # is %23, % is %25)")
	}
	user, pass := username, password
	if u.User != nil {
		if user == "" {
			user = u.User.Username()
		}
		if pass == "" {
			pass, _ = u.User.Password()
		}
	}
	a := &address{url: u.Clone(), secrets: secretForms(rawURL, user, pass)}
	if len(u.RawQuery) >= shortestSecret {
		// Some cameras want a password there, under many names.
		a.secrets = append(a.secrets, u.RawQuery)
	}
	a.url.User = nil
	if user != "" || pass != "" {
		a.url.User = url.UserPassword(user, pass)
	}
	return a, nil
}

// shortestSecret is how long a secret must be to be looked for in a text: shorter
// ones would blot out innocent words.
const shortestSecret = 3

// secretForms returns the password as it may be found in a text: plain,
// percent-encoded in several ways, and within Basic credentials.
func secretForms(rawURL, user, pass string) (forms []string) {
	add := func(s string) {
		if len(s) >= shortestSecret {
			forms = append(forms, s)
		}
	}
	if pass == "" {
		return nil
	}
	add(base64.StdEncoding.EncodeToString([]byte(user + ":" + pass)))
	if _, after, ok := strings.Cut(rawURL, "://"); ok {
		if at := strings.LastIndexByte(after, '@'); at >= 0 {
			if _, raw, ok := strings.Cut(after[:at], ":"); ok {
				add(raw)
			}
		}
	}
	add(pass)
	add(url.QueryEscape(pass))
	add(url.PathEscape(pass))
	if _, encoded, ok := strings.Cut(url.UserPassword("", pass).String(), ":"); ok {
		add(encoded)
	}
	return forms
}

// hasCredentials reports whether there is a user name or password to log in with.
func (a *address) hasCredentials() bool { return a.url.User != nil }

// host returns host and port as written.
func (a *address) host() string { return a.url.Host }

// String returns the URL without credentials. Those that some cameras want in
// the path are left out as well, and so is the query.
func (a *address) String() string {
	u := a.url.CloneWithoutCredentials()
	hasQuery := u.RawQuery != "" || u.ForceQuery
	u.RawQuery, u.ForceQuery = "", false
	text := a.redact(u.String())
	if hasQuery {
		text += "?…"
	}
	return text
}

// redact removes all credentials from a text, cuts it to one line of a
// bearable length, and makes what a camera sent harmless to terminals.
func (a *address) redact(text string) string {
	for _, s := range a.secrets {
		text = strings.ReplaceAll(text, s, "xxxxx")
	}
	text = userInfoPattern().ReplaceAllString(text, "://")
	text = credentialPattern().ReplaceAllString(text, "${1}=xxxxx")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, text)
	const longest = 300
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return text
}

// userInfoPattern finds the credentials of any URL.
func userInfoPattern() *regexp.Regexp { return regexp.MustCompile(`://[^/\s"']*@`) }

// credentialPattern finds user names and passwords in paths and queries
// ("?user=admin&password=x", "/user=admin_password=x_channel=1").
func credentialPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(user(?:name)?|pass(?:word|wd)?|pwd|auth|token|key)=[^&_/?#\s]*`)
}
