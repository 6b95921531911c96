package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// MSRs that the hypervisor emulates: values, faults, what the guest finds afterwards.
class MsrEmulationTest {

    private static long capability(String name) {
        return Bits.msrBit(Msrs.ARCH_CAPABILITIES, name);
    }

    /// FACTS 1.6: a guest reads what userspace set, and never writes.
    @Test
    void archCapabilitiesIsUserspaces() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - rdmsr: IA32_ARCH_CAPABILITIES
                                - wrmsr: {msr: IA32_ARCH_CAPABILITIES, value: 0}
                                - host-write: {msr: IA32_ARCH_CAPABILITIES, value: 0x2b}
                                - rdmsr: IA32_ARCH_CAPABILITIES
                                """);
        assertEquals(List.of(Outcome.DONE, Outcome.GP, Outcome.DONE), recording.outcomes());
        assertEquals(0x2b, recording.last(MsrReadBack.class).value());
        assertEquals(0x2b, recording.vcpu().kvm(Kvm.ARCH_CAPABILITIES));
    }

    @ParameterizedTest
    @CsvSource({"Icelake-Server, {arch-capabilities: false}", "EPYC-Milan, {}"})
    void archCapabilitiesNeedsItsCpuidBit(String cpu, String guestCpu) {
        Recording recording =
                VcpuScenario.on(cpu).guestCpu(guestCpu).run("- rdmsr: IA32_ARCH_CAPABILITIES\n");
        assertEquals(Outcome.GP, recording.only(MsrReadBack.class).outcome());
    }

    /// FACTS 1.6: the host's bits in KVM's list, and two that KVM always adds.
    @Test
    void offersHostsCapabilities() {
        assertEquals(
                capability("PSCHANGE_MC_NO") | capability("SKIP_VMENTRY_L1DFLUSH"),
                ArchCapabilities.offered(0));
        long listed = 0;
        for (String name :
                List.of(
                        "RDCL_NO",
                        "IBRS_ALL",
                        "RSBA",
                        "SKIP_VMENTRY_L1DFLUSH",
                        "SSB_NO",
                        "MDS_NO",
                        "PSCHANGE_MC_NO",
                        "TSX_CTRL_MSR",
                        "TAA_NO",
                        "SBDR_SSDP_NO",
                        "FBSDP_NO",
                        "PSDP_NO",
                        "FB_CLEAR",
                        "RRSBA",
                        "PBRSB_NO",
                        "GDS_NO",
                        "RFDS_NO",
                        "RFDS_CLEAR",
                        "BHI_NO",
                        "ITS_NO")) {
            listed |= capability(name);
        }
        // By the numbers of FACTS 1.1: 0-8, 13-15, 17, 19, 20, 24, 26-28, 62.
        assertEquals(0x4000_0000_1d1a_e1ffL, listed);
        assertEquals(listed, ArchCapabilities.offered(-1));
    }

    /// FACTS 1.8: needs VIRT_SSBD; only bit 2 is valid.
    @Test
    void virtSpecCtrlHoldsSsbdOnly() {
        String ops =
                """
                - wrmsr: {msr: AMD64_VIRT_SPEC_CTRL, value: 4}
                - rdmsr: AMD64_VIRT_SPEC_CTRL
                - wrmsr: {msr: AMD64_VIRT_SPEC_CTRL, value: 1}
                """;
        Recording shown = VcpuScenario.on("EPYC").run(ops);
        assertEquals(List.of(Outcome.DONE, Outcome.DONE, Outcome.GP), shown.outcomes());
        assertEquals(4, shown.only(MsrReadBack.class).value());
        assertEquals(4, shown.vcpu().kvm(Kvm.VIRT_SPEC_CTRL));
        Recording hidden = VcpuScenario.on("EPYC").guestCpu("{virt-ssbd: false}").run(ops);
        assertEquals(List.of(Outcome.GP, Outcome.GP, Outcome.GP), hidden.outcomes());
        Recording intel = VcpuScenario.on("Icelake-Server").guestCpu("{virt-ssbd: true}").run(ops);
        assertEquals(Outcome.GP, intel.all(MsrWritten.class).getFirst().outcome());
    }

    /// FACTS 1.8: AUTOIBRS is a reserved bit of EFER for a guest whose CPUID lacks it.
    @ParameterizedTest
    @CsvSource({
        "EPYC-Genoa, {}, 0x200d01, DONE",
        "EPYC-Genoa, {auto-ibrs: false}, 0x200d01, GP",
        "EPYC-Milan, {}, 0x200d01, GP",
        "Icelake-Server, {}, 0x200d01, GP",
        "EPYC-Milan, {}, 0x1d01, DONE",
        "EPYC-Milan, {svm: false}, 0x1d01, GP",
        "Icelake-Server, {}, 0x1d01, GP",
        "Icelake-Server, {}, 0xd00, DONE",
        "Icelake-Server, {}, 0xd03, GP",
        "Icelake-Server, {}, 0x100000d01, GP",
        "EPYC-Milan, {}, 0x501, DONE",
        "EPYC-Milan, {nx: false}, 0xd01, GP"
    })
    void judgesEferBits(String cpu, String guestCpu, String value, Outcome outcome) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .guestCpu(guestCpu)
                        .run(
                                "- wrmsr: {msr: EFER, value: %s}\n- cpuid: {leaf: 1}\n"
                                        .formatted(value));
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
        assertEquals(0, recording.all(UserspaceMsrStored.class).size());
    }

    /// LMA is the processor's to change: what the guest writes there is dropped (`set_efer`; SDM vol. 3, IA32_EFER).
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void keepsLmaWhateverIsWritten(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run(
                                """
                                - wrmsr: {msr: EFER, value: 0x900}
                                - rdmsr: EFER
                                - interrupt: {vector: 0x31}
                                - cpuid: {leaf: 1}
                                """);
        assertEquals(0xd00, recording.only(MsrReadBack.class).value());
        assertEquals(0xd00, recording.vcpu().register(Reg.EFER));
    }

    /// LME cannot change while paging is on (`set_efer`; SDM vol. 3, IA-32e mode).
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void faultsOnLmeWhilePagingIsOn(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run("- wrmsr: {msr: EFER, value: 0xc01}\n- cpuid: {leaf: 1}\n");
        assertEquals(Outcome.GP, recording.only(MsrWritten.class).outcome());
        assertEquals(0xd01, recording.vcpu().register(Reg.EFER));
    }

    /// VMX entry and exit switch EFER while guest and host differ.
    @Test
    void switchesEferWhileItDiffersFromTheHosts() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- wrmsr: {msr: EFER, value: 0xd00}\n");
        long load = Bits.control("VM_ENTRY_LOAD_IA32_EFER");
        long unload = Bits.control("VM_EXIT_LOAD_IA32_EFER");
        assertEquals(load, recording.field(1, "VM_ENTRY_CONTROLS") & load);
        assertEquals(unload, recording.field(1, "VM_EXIT_CONTROLS") & unload);
        Recording back =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - wrmsr: {msr: EFER, value: 0xd00}
                                - wrmsr: {msr: EFER, value: 0xd01}
                                """);
        assertEquals(0, back.field(1, "VM_ENTRY_CONTROLS") & load);
        assertEquals(0, back.field(1, "VM_EXIT_CONTROLS") & unload);
    }

    /// A memory type that does not exist in an entry of PAT is #GP (SDM vol. 3, IA32_PAT).
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, 0x0007040600070406, DONE",
        "Icelake-Server, 0x0007040600070402, GP",
        "Icelake-Server, 0x0807040600070406, GP",
        "EPYC-Milan, 0x0007040600070402, GP"
    })
    void judgesPat(String cpu, String value, Outcome outcome) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run(
                                "- wrmsr: {msr: IA32_CR_PAT, value: %s}\n- cpuid: {leaf: 1}\n"
                                        .formatted(value));
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
    }

    /// Addresses have to be canonical, in the handler as in the hardware.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "FS_BASE",
                "GS_BASE",
                "KERNEL_GS_BASE",
                "LSTAR",
                "CSTAR",
                "IA32_SYSENTER_EIP"
            })
    void faultsOnAddressThatIsNotCanonical(String msr) {
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan")) {
            for (String policy : List.of("kvm-6.1", "kvm-6.1,pass-through=none")) {
                Recording recording =
                        VcpuScenario.on(cpu)
                                .under(policy)
                                .run(
                                        """
                                        - wrmsr: {msr: %1$s, value: 0x800000000000}
                                        - wrmsr: {msr: %1$s, value: 0xffff800000000000}
                                        - rdmsr: %1$s
                                        """
                                                .formatted(msr));
                assertEquals(
                        List.of(Outcome.GP, Outcome.DONE, Outcome.DONE), recording.outcomes(), cpu);
                assertEquals(
                        0xffff_8000_0000_0000L, recording.only(MsrReadBack.class).value(), cpu);
            }
        }
    }

    /// A fault leaves everything as it was and is injected, with error code 0.
    @ParameterizedTest
    @CsvSource({"Icelake-Server, 0x80000b0d", "EPYC-Milan, 0x80000b0d"})
    void injectsGeneralProtection(String cpu, String info) {
        Recording recording = VcpuScenario.on(cpu).run("- rdmsr: 0x1234567\n");
        assertEquals(Outcome.GP, recording.only(MsrReadBack.class).outcome());
        assertEquals(
                new EventInjected(13, EventType.EXCEPTION, 0), recording.only(EventInjected.class));
        // Not advanced: RIP is the instruction's own.
        assertEquals(recording.only(MsrReadBack.class).rip(), recording.vcpu().register(Reg.RIP));
        String field = cpu.startsWith("E") ? "event_inj" : "VM_ENTRY_INTR_INFO_FIELD";
        long written =
                recording.written(1, recording.vcpu().vendor().layout().named(field)).getLast();
        assertEquals(Long.decode(info), written);
    }

    /// Whatever is passed through or not, the guest reads back what it wrote.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "STAR",
                "LSTAR",
                "CSTAR",
                "SYSCALL_MASK",
                "FS_BASE",
                "GS_BASE",
                "KERNEL_GS_BASE",
                "IA32_SYSENTER_CS",
                "IA32_SYSENTER_ESP",
                "IA32_SYSENTER_EIP",
                "TSC_AUX",
                "IA32_TSC_DEADLINE"
            })
    void readsBackWhatItWrote(String msr) {
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan")) {
            for (String policy :
                    List.of("kvm-5.4", "kvm-6.1", "kvm-7.1", "kvm-6.1,pass-through=none")) {
                Recording recording =
                        VcpuScenario.on(cpu)
                                .under(policy)
                                .run(
                                        """
                                        - wrmsr: {msr: %1$s, value: 0x1230}
                                        - rdmsr: %1$s
                                        - cpuid: {leaf: 1}
                                        - preempt: {pcpu: 1}
                                        - rdmsr: %1$s
                                        - in: {port: 0x3f8}
                                        - rdmsr: %1$s
                                        - host-write: {msr: %1$s, value: 0x4560}
                                        - rdmsr: %1$s
                                        """
                                                .formatted(msr));
                List<Long> values =
                        recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList();
                assertEquals(
                        List.of(0x1230L, 0x1230L, 0x1230L, 0x4560L), values, cpu + " " + policy);
            }
        }
    }

    /// On Intel SYSCALL cannot be entered from 32-bit code, so CSTAR is never loaded: a guest's value stays KVM's.
    @Test
    void neverLoadsCstarOnIntel() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- wrmsr: {msr: CSTAR, value: 0x1000}\n");
        assertEquals(0, recording.count(HostMsrWritten.class, e -> e.msr() == Msrs.CSTAR));
        assertEquals(HostValues.CSTAR, recording.machine().pcpu(0).msr(Msrs.CSTAR));
        assertEquals(0x1000, recording.vcpu().msr(Msrs.CSTAR));
    }

    /// `host-write` of what no MSR has is refused.
    @Test
    void refusesUnknownMsr() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- host-write: {msr: 0x1234567, value: 1}\n");
        assertEquals(Outcome.GP, recording.only(UserspaceMsrStored.class).outcome());
    }
}
