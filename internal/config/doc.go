// Package config reads the agent's settings: one YAML file, strictly checked,
// and the allow-list of viewers.
//
// Load reads a file into a Config; flags and environment variables are laid
// over it by the caller; Complete then fills in defaults and checks everything
// once. All mistakes are reported together, each with the key, its line and
// what to do about it. Nothing this package prints contains a password.
//
// YAML is used without its surprises: no anchors, aliases, tags or second
// documents, no key twice, no unknown key.
package config
