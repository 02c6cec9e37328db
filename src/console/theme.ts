/**
 * Light, dark, or as the system has it; remembered in this browser. Callers: the shell. Runs on: the page's thread.
 */
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'millrace.theme';
const SIGNS: Readonly<Record<Theme, string>> = { system: '◐', light: '○', dark: '●' };
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

export function themeOf(theme: Theme): string {
  return SIGNS[theme];
}

export function nextTheme(theme: Theme): Theme {
  return NEXT[theme];
}

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  });
  useEffect(() => {
    localStorage.setItem(KEY, theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return [theme, setTheme];
}
