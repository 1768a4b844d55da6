package cli

import "github.com/sightline-cam/sightline/internal/config"

// Config is the config command.
type Config struct {
	Check ConfigCheck `cmd:"" help:"Check a configuration file and the files it names."`
}

// ConfigCheck is the config check command.
type ConfigCheck struct {
	File string `arg:"" help:"The YAML file."`
}

// Run reports every mistake with its line.
func (c *ConfigCheck) Run(p *Process) error {
	cfg, err := config.Load(c.File)
	if err != nil {
		return err
	}
	warnings, err := cfg.Complete()
	for _, w := range warnings {
		p.complain("warning: %v", w)
	}
	if err != nil {
		return err
	}
	p.Say("%s is fine: cameras %d", c.File, len(cfg.Cameras))
	return nil
}
