"""RTSP cameras made of GStreamer, for tests.

Prints one line of JSON with the port of each kind of server when all are up,
and ends when its standard input does.

usage: camera.py USER PASSWORD CERTIFICATE_AND_KEY_PEM
"""
import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

GOP = 15  # frames; at 30 a second a key frame comes every half second
RAW = "video/x-raw,format=I420,width=320,height=240,framerate=30/1"
PICTURE = f"videotestsrc is-live=true pattern=ball ! {RAW} ! "
X264 = f"x264enc speed-preset=ultrafast bitrate=500 key-int-max={GOP} "
LIVE = X264 + "tune=zerolatency threads=1 bframes=0 "
PAY = "rtph264pay name=pay0 pt=96 config-interval=-1 "


def h264(profile, encoder=LIVE, pay=PAY):
    return f"{PICTURE}{encoder} ! video/x-h264,profile={profile} ! {pay}"


def sound(rate, rest):
    return f" audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate={rate},channels=1 ! {rest} "


VIDEO = h264("constrained-baseline")
MOUNTS = {
    "baseline": VIDEO,
    "main": h264("main", X264 + "tune=zerolatency threads=1 bframes=0 cabac=true "),
    "high": h264("high", X264 + "tune=zerolatency threads=1 bframes=0 cabac=true dct8x8=true "),
    "slices": h264("constrained-baseline", LIVE + "option-string=slices=4 "),
    "bigpackets": h264("constrained-baseline", LIVE.replace("bitrate=500", "bitrate=4000"), PAY + "mtu=60000 "),
    "smallpackets": h264("constrained-baseline", LIVE, PAY + "mtu=200 "),
    "outofband": f"{PICTURE}{LIVE} ! video/x-h264,profile=constrained-baseline,stream-format=avc ! "
                 "rtph264pay name=pay0 pt=96 config-interval=0",
    "bframes": f"{PICTURE}x264enc speed-preset=veryfast key-int-max={GOP} bframes=2 b-adapt=false rc-lookahead=5 "
               "threads=1 ! video/x-h264,profile=main ! " + PAY,
    "longgop": h264("constrained-baseline", LIVE.replace(f"key-int-max={GOP}", "key-int-max=900")),
    "resize": "videotestsrc is-live=true pattern=ball ! videoscale ! capsfilter name=size caps=" + RAW + " ! "
              + LIVE + " ! video/x-h264,profile=constrained-baseline ! " + PAY,
    "h265": f"{PICTURE}x265enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max={GOP} "
            "option-string=pools=1:frame-threads=1:log-level=none ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": f"{PICTURE}jpegenc ! rtpjpegpay name=pay0 pt=26",
    "pcmu": VIDEO + sound(8000, "mulawenc ! rtppcmupay name=pay1 pt=0"),
    "pcma": VIDEO + sound(8000, "alawenc ! rtppcmapay name=pay1 pt=8"),
    "opus": VIDEO + sound(48000, "opusenc ! rtpopuspay name=pay1 pt=97"),
    "aac": VIDEO + sound(48000, "voaacenc ! rtpmp4gpay name=pay1 pt=97"),
    "latm": VIDEO + sound(48000, "voaacenc ! rtpmp4apay name=pay1 pt=97"),
    "l16": VIDEO + sound(44100, "rtpL16pay name=pay1 pt=97"),
    "audioonly": sound(8000, "mulawenc ! rtppcmupay name=pay0 pt=0"),
}
PROTECTED = ("baseline", "pcmu")


def resizing(_factory, media):
    """Changes the picture's size every second."""
    size = media.get_element().get_by_name("size")
    sizes = ["width=640,height=480", "width=320,height=240"]

    def change():
        caps = RAW.replace("width=320,height=240", sizes[0])
        sizes.reverse()
        size.set_property("caps", Gst.Caps.from_string(caps))
        return media.get_status() != GstRtspServer.RTSPMediaStatus.UNPREPARED

    GLib.timeout_add(1000, change)


def serve(mounts, user=None, password=None, digest=False, pem=None):
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if user:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        if digest:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        if pem:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(pem))
        server.set_auth(auth)
    for name in mounts:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {MOUNTS[name]} )")
        # A pipeline for each client: the server fails an assertion of its own
        # (gst_rtsp_media_get_rates) when one leaves a shared one while another
        # begins to play.
        factory.set_shared(False)
        factory.set_latency(0)
        if name == "resize":
            factory.connect("media-configure", resizing)
        if user:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("user", "media.factory.access", True)
            permissions.add_permission_for_role("user", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory("/" + name, factory)
    server.attach(None)
    return server


def main():
    user, password, pem = sys.argv[1:4]
    Gst.init(None)
    servers = {
        "none": serve(MOUNTS),
        "basic": serve(PROTECTED, user, password),
        "digest": serve(PROTECTED, user, password, digest=True),
        "tls": serve(PROTECTED, user, password, digest=True, pem=pem),
    }
    loop = GLib.MainLoop()

    def until_end_of_input():
        sys.stdin.read()
        GLib.idle_add(loop.quit)

    threading.Thread(target=until_end_of_input, daemon=True).start()
    print(json.dumps({name: s.get_bound_port() for name, s in servers.items()}), flush=True)
    loop.run()


main()
