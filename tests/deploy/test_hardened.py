"""What runs by the files of deploy/ may do what it needs, and nothing else."""

import ipaddress
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.files import (
    compose,
    container,
    directive,
    kubernetes,
    nodes,
    pod,
    recipe,
    text_of,
    unit,
)

SERVICES = sorted(compose()["services"])
UNITS = {"coatcheck.service": "coatcheck.service", "coatcheck@.service": "coatcheck@8001.service"}
_MOST_EXPOSURE = 11  # tenths; what is left is the network, and files that everybody may read


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_more_than_it_needs(name: str) -> None:
    service: dict[str, Any] = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["healthcheck"]["test"][0] == "CMD"  # no shell
    assert service["restart"] == "unless-stopped"


def test_nginx_alone_is_reached_from_outside_and_the_storages_reach_nothing() -> None:
    services = compose()["services"]
    assert {name for name, each in services.items() if "ports" in each} == {"nginx"}
    assert {name for name, each in services.items() if set(each["networks"]) == {"store"}} == {
        "postgres",
    }
    assert set(services["nginx"]["networks"]) == {"front"}
    assert compose()["networks"]["store"]["internal"] is True


def test_addresses_are_of_their_networks_and_nobody_shares_one() -> None:
    networks = {
        name: ipaddress.ip_network(each["ipam"]["config"][0]["subnet"])
        for name, each in compose()["networks"].items()
    }
    taken = [
        (name, ipaddress.ip_address(each["ipv4_address"]))
        for service in compose()["services"].values()
        for name, each in service["networks"].items()
    ]
    assert len(set(taken)) == len(taken)
    assert all(address in networks[name] for name, address in taken)


def test_nodes_wait_for_what_they_need_and_nginx_for_nodes() -> None:
    for node in nodes().values():
        assert set(node["depends_on"]) == {"postgres"}
    assert set(compose()["services"]["nginx"]["depends_on"]) == set(nodes())
    for service in compose()["services"].values():
        assert all(each["condition"] == "service_healthy" for each in service.get("depends_on", {}).values())


def test_postgres_lets_nobody_in_without_a_password() -> None:
    environment = compose()["services"]["postgres"]["environment"]
    assert "trust" not in json.dumps(environment)
    assert "--auth-host=scram-sha-256" in environment["POSTGRES_INITDB_ARGS"]


def test_the_image_is_run_by_nobody_in_particular_without_a_shell_and_without_a_compiler() -> None:
    instructions = recipe()
    assert [rest.split()[0] for name, rest in instructions if name == "FROM"] == ["python:3.13-slim"] * 2
    users = [rest for name, rest in instructions if name == "USER"]
    assert users == ["10001:10001"]
    assert [name for name, _ in instructions].index("USER") < [name for name, _ in instructions].index("CMD")
    for name in ("ENTRYPOINT", "CMD"):
        (told,) = [rest for each, rest in instructions if each == name]
        assert isinstance(json.loads(told), list)
    assert not re.search(r"apt-get|gcc|build-essential|curl ", text_of("Containerfile"))
    assert ("STOPSIGNAL", "SIGTERM") in instructions
    assert pod()["securityContext"]["runAsUser"] == 10001


def test_the_pod_meets_the_restricted_profile_of_kubernetes() -> None:
    assert kubernetes("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["automountServiceAccountToken"] is False
    assert set(container()["resources"]) == {"requests", "limits"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod())


def test_an_upgrade_of_the_pods_takes_none_away_before_another_is_ready() -> None:
    deployment = kubernetes("Deployment")["spec"]
    assert deployment["replicas"] == 3
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert kubernetes("Service")["spec"]["selector"] == labels
    assert kubernetes("Service")["spec"]["sessionAffinity"] == "None"
    assert kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


def test_pods_are_reached_at_one_port_and_reach_what_is_named() -> None:
    policy = kubernetes("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [each["ports"] for each in policy["ingress"]] == [[{"port": "http"}]]
    assert all(each["to"] and each["ports"] for each in policy["egress"])


def test_units_differ_in_the_port_alone() -> None:
    one, several = unit("coatcheck.service"), unit("coatcheck@.service")
    assert one.pop("Description")[0] == several.pop("Description")[0].removesuffix(", port %i")
    for name in ("ExecStart", "ExecStartPost"):
        assert one.pop(name)[0].replace("8000", "%i") == several.pop(name)[0]
    assert one == several


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_the_unit_and_finds_little_exposed(name: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is not here: apt-get install systemd"
    text = re.sub(r"^(ExecStart\w*=)/\S+", r"\1/bin/true", text_of(name), flags=re.MULTILINE)
    (tmp_path / name).write_text(text)
    verified = subprocess.run(
        [program, "verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNITS[name])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        [program, "security", "--offline=yes", f"--threshold={_MOST_EXPOSURE}", str(tmp_path / UNITS[name])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout


def test_nginx_repeats_no_header_of_the_program_and_appends_to_none_of_a_client() -> None:
    assert [each.split()[0] for each in directive("add_header")] == ["Strict-Transport-Security"]
    assert directive("proxy_hide_header") == ["Strict-Transport-Security"]
    assert "X-Forwarded-For $remote_addr" in directive("proxy_set_header")
    assert "$proxy_add_x_forwarded_for" not in text_of("nginx.conf")
    assert "$args" not in text_of("nginx.conf")
    assert directive("proxy_next_upstream") == ["error timeout"]
