package portmap

import (
	"context"
	"time"
)

// Probe asks the router for a mapping of opts.Port by every protocol in turn, and
// takes each back at once: what it speaks, for people to read. opts.Port must be
// one that nobody maps meanwhile, such as that of a socket bound for this purpose;
// Lifetime, TCP, Verify and OnChange are not used. It takes up to ten seconds.
func Probe(ctx context.Context, opts Options) (Report, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return Report{}, err
	}
	opts.Lifetime, opts.TCP = minLifetime, false
	k := keeper{opts: opts}
	if err := k.look(); err != nil {
		k.report.Problem = "No port can be mapped: " + err.Error() + "."
		return k.report, nil
	}
	for _, w := range k.ways {
		all, _, err := k.mapAll(ctx, w)
		if err != nil && ctx.Err() != nil {
			return k.report, context.Cause(ctx)
		}
		k.note(w.protocol, all, err)
		if err != nil {
			continue
		}
		m := all[0]
		if !k.report.External.IsValid() || k.report.DoubleNAT {
			k.report.External, k.report.DoubleNAT = m.External.Addr(), m.DoubleNAT
			k.mappings = all
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), opts.release)
		if err := w.mapper.release(bounded, UDP, grant{external: m.External, internal: m.Internal}); err != nil {
			opts.Logger.Info("a mapped port could not be given back, it ends with its lease", "port", m.External, "err", err, "in", time.Until(m.Expires))
		}
		cancel()
	}
	if len(k.mappings) == 0 {
		k.report.DoubleNAT = k.noAddress
	}
	k.report.Problem = k.problem()
	return k.report, nil
}
