import pytest

from alignimation_index.library.file_systems import remote_file_system

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw shared:2 - nfs4 server:/photos rw
31 22 0:41 / /mnt/my\040share rw - cifs //server/share rw
32 22 0:42 / /mnt/ssh rw - fuse.sshfs me@server: rw
33 22 8:2 / /mnt/usb rw - fuseblk /dev/sdb1 rw
34 30 8:3 / /mnt/nas/local rw - xfs /dev/sdc1 rw
35 22 8:4 / /mnt/twice rw - ext4 /dev/sdd1 rw
36 22 0:43 / /mnt/twice rw - 9p host rw
"""


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/Photos", None),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/2001/a.jpg", "nfs4"),
        ("/mnt/nasty", None),
        ("/mnt/my share/x", "cifs"),
        ("/mnt/ssh/x", "fuse.sshfs"),
        ("/mnt/usb/DCIM", None),
        ("/mnt/nas/local/x", None),
        ("/mnt/twice", "9p"),
    ],
)
def test_the_innermost_and_last_mount_decides(mounts, path, kind):
    assert remote_file_system(path, mounts) == kind


def test_a_link_is_as_remote_as_what_it_leads_to(mounts, tmp_path):
    (tmp_path / "link").symlink_to("/mnt/nas")
    assert remote_file_system(str(tmp_path / "link"), mounts) == "nfs4"


def test_without_a_list_of_mounts_everything_is_local(tmp_path):
    assert remote_file_system("/mnt/nas", tmp_path / "none") is None
