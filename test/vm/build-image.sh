#!/bin/bash
# Builds the test machine's image: Debian's own kernel, a trimmed Debian on ext4, and a small initramfs that mounts it.
# Run as root by image.mjs, which caches the result; takes about 30 s, most of it mmdebstrap's.
#
#   build-image.sh FOLDER KERNEL_PACKAGE      makes vmlinux, initrd.img and root.ext4 in FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
kernel_package=$2
kernel_version=${kernel_package#linux-image-}
. /etc/os-release
suite=$VERSION_CODENAME
# This machine's own apt sources, one "deb URI SUITE main" a line.
mapfile -t sources < <(
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    grep -E " $suite(-security|-updates)? main\$" | sort -u
)

# libstdc++6, libatomic1: for this machine's node, which is copied in.
packages=(systemd systemd-sysv udev dbus kmod ppp iproute2 procps socat usbutils iputils-ping libstdc++6 libatomic1)
# A neighbour that takes modems, too; it asks polkit who may do what.
packages+=(modemmanager polkitd)
# For dongles that begin as a CD-ROM.
packages+=(usb-modeswitch)

# The kernel modules that are kept, by their paths below kernel/; what they need comes with them.
module_patterns=(
  '^crypto/(crc32c_generic|sha1_generic|deflate)\.ko'
  '^drivers/block/virtio_blk\.ko' '^drivers/virtio/'
  '^fs/(ext4|overlayfs|9p|netfs|fscache|fuse)/' '^net/9p/'
  '^drivers/char/(virtio_console|hw_random/virtio-rng)\.ko'
  '^drivers/net/(ppp|slip)/' '^drivers/net/(tun|dummy|veth|virtio_net|macvlan)\.ko'
  '^drivers/net/usb/(usbnet|qmi_wwan|cdc_mbim|cdc_ncm|cdc_ether|cdc_acm|rndis_host|hso|huawei_cdc_ncm|sierra_net)\.ko'
  '^drivers/net/wwan/wwan\.ko' '^net/l2tp/' '^net/ipv[46]/.*(masq|nat)' '^net/sched/sch_netem\.ko'
  '^drivers/usb/(common|core|host|serial|class|gadget|storage|usbip)/'
  '^net/netfilter/(nf_tables|nft_(masq|nat|ct|chain_nat|reject.*)|nf_conntrack|nf_nat)\.ko'
)

work=$(mktemp -d "${TMPDIR:-/tmp}/modemd-vm-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
# apt's own user reads there.
chmod 755 "$work"
mkdir -p "$out"

echo "kernel: $kernel_package"
mkdir -m 777 "$work/deb"
(cd "$work/deb" && apt-get download -qq "$kernel_package")
dpkg-deb -x "$work"/deb/*.deb "$work/kernel"
# Unpacked (its xz stream lies where the x86 boot protocol's header says): QEMU boots it through PVH, without an emulated xz.
bzimage=$work/kernel/boot/vmlinuz-$kernel_version
header() { od -An "-tu$2" -j"$1" -N"$2" "$bzimage" | tr -d ' '; }
setup_sectors=$(header $((0x1f1)) 1)
payload_offset=$(header $((0x248)) 4)
xz -dc --single-stream >"$out/vmlinux" < <(tail -c +$(((setup_sectors + 1) * 512 + payload_offset + 1)) "$bzimage")
strip -s "$out/vmlinux" 2>/dev/null || true

echo "root file system: $suite"
root=$work/root
mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/zoneinfo/*' \
  --aptopt='APT::Install-Recommends "false"' \
  "$suite" "$root" "${sources[@]}"

source=$work/kernel/lib/modules/$kernel_version
modules=$root/lib/modules/$kernel_version
mkdir -p "$modules"
cp "$source"/modules.{order,builtin,builtin.modinfo} "$modules/"
depmod -b "$work/kernel" "$kernel_version"
(cd "$source/kernel" && find . -name '*.ko' -printf '%P\n') >"$work/all"
grep -E "$(IFS='|'; echo "${module_patterns[*]}")" "$work/all" | sed 's|^|kernel/|' >"$work/wanted"
awk -v dependencies="$source/modules.dep" '
  BEGIN { while ((getline line < dependencies) > 0) { n = index(line, ":"); needs[substr(line, 1, n - 1)] = substr(line, n + 1) } }
  { keep[$1]; count = split(needs[$1], each, " "); for (i = 1; i <= count; i++) keep[each[i]] }
  END { for (module in keep) print module }' "$work/wanted" | sort >"$work/keep"
(cd "$source" && cpio -pdm --quiet "$modules" <"$work/keep")
find "$modules" -name '*.ko' -exec strip --strip-debug {} +
depmod -b "$root" "$kernel_version"

install -m 755 "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
cp -a "$here/overlay/." "$root/"
chown -R 0:0 "$root/etc" "$root/usr/local"
echo vm >"$root/etc/hostname"
echo '127.0.0.1 localhost vm' >"$root/etc/hosts"
: >"$root/etc/fstab"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
# Debian's scripts would rewrite resolv.conf: the tests bring their own.
rm -rf "$root"/etc/ppp/ip*-{up,down}*
for unit in apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service \
  dpkg-db-backup.timer systemd-pstore.service systemd-networkd.service systemd-timesyncd.service getty@tty1.service; do
  systemctl --root="$root" mask -q "$unit" 2>/dev/null || true
done
systemctl --root="$root" enable -q vm-job.service
# A case starts it.
systemctl --root="$root" disable -q ModemManager.service
systemctl --root="$root" set-default -q multi-user.target

init=$work/init
mkdir -p "$init"/{bin,dev,proc,sys,root,lib/modules}
cp "$(command -v busybox)" "$init/bin/busybox"
: >"$init/modules"
for module in crc32c_generic virtio_pci virtio_blk ext4; do
  modprobe -d "$root" -S "$kernel_version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p' |
    while read -r file; do
      name=$(basename "$file")
      grep -qx "$name" "$init/modules" && continue
      cp "$file" "$init/lib/modules/"
      echo "$name" >>"$init/modules"
    done
done
cat >"$init/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
while read -r module; do $b insmod "/lib/modules/$module"; done </modules
i=0; while [ ! -b /dev/vda ] && [ $i -lt 50 ]; do $b usleep 100000; i=$((i+1)); done
$b mount -t ext4 -o noatime /dev/vda /root || exec $b sh
$b mount --move /dev /root/dev; $b umount /sys; $b umount /proc
exec $b switch_root /root /sbin/init
INIT
chmod 755 "$init/init"
# Not compressed: the cheapest under emulation.
(cd "$init" && find . | cpio -o -H newc --quiet) >"$out/initrd.img"

truncate -s 1G "$out/root.ext4"
mkfs.ext4 -q -F -m 0 -O ^has_journal -E lazy_itable_init=0 -d "$root" "$out/root.ext4"
