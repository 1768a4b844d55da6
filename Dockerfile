# A static binary and nothing else: no shell, no libc, not root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=container
RUN CGO_ENABLED=0 go build -trimpath -tags nomsgpack,nethttpomithttp2 -ldflags "-s -w -X main.version=${VERSION}" -o /out/sightline ./cmd/sightline \
 && install -d -m 0700 /out/state

FROM scratch
# Roots for wss:// and rtsps://.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/sightline /sightline
COPY --from=build --chown=65532:65532 /out/state /var/lib/sightline
USER 65532:65532
ENV XDG_STATE_HOME=/var/lib
VOLUME /var/lib/sightline
# The signaling service and the agent's own page. The agent's UDP port is
# chosen by --udp; run it with --network host, or publish that port.
EXPOSE 8787 8788
ENTRYPOINT ["/sightline"]
CMD ["--help"]
